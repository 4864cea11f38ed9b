//! Which leases surely stood, and which may have.

use super::judge::Asked;
use super::record::Line;

#[derive(Debug)]
struct Lease {
    id: String,
    session: String,
    area: u64,
    asked_us: u64,
    /// When its grant was answered; a refused one is removed.
    granted_us: Option<u64>,
    closing_us: Option<u64>,
    closed_us: Option<u64>,
}

/// The leases of a record.
#[derive(Debug, Default)]
pub(super) struct Leased(Vec<Lease>);

impl Leased {
    pub(super) fn line(&mut self, line: &Line, at_us: u64) {
        let id = line["lease"].as_str().unwrap_or_default();
        if line["what"] == "grant" {
            self.0.push(Lease {
                id: id.to_owned(),
                session: line["session"].as_str().unwrap_or_default().to_owned(),
                area: line["area"].as_u64().unwrap_or(0),
                asked_us: at_us,
                granted_us: None,
                closing_us: None,
                closed_us: None,
            });
            return;
        }
        let Some(at) = self.0.iter().rposition(|lease| lease.id == id) else { return };
        match line["what"].as_str() {
            Some("granted") if line["granted"] == true => self.0[at].granted_us = Some(at_us),
            Some("granted") => _ = self.0.remove(at),
            Some("close") => self.0[at].closing_us = Some(at_us),
            _ => self.0[at].closed_us = Some(at_us),
        }
    }

    fn in_the_way(&self, asked: &Asked) -> impl Iterator<Item = &Lease> {
        self.0
            .iter()
            .rev()
            .filter(move |lease| Some(lease.area) == asked.area && lease.session != asked.session)
    }

    /// An edit passed: no lease of another stood for the whole of the call.
    pub(super) fn must_not_stand(&self, asked: &Asked, at_us: u64) -> Result<(), String> {
        let stood = self.in_the_way(asked).find(|lease| {
            lease.granted_us.is_some_and(|granted_us| granted_us <= asked.at_us)
                && lease.closing_us.is_none_or(|closing_us| closing_us >= at_us)
        });
        stood.map_or(Ok(()), |lease| {
            Err(format!(
                "it passed, and lay in the lease {} of session {} all the time",
                lease.id, lease.session
            ))
        })
    }

    /// An edit was blocked because of `holder`: a lease of it may have stood.
    pub(super) fn could_stand(&self, holder: &str, asked: &Asked, at_us: u64) -> Result<(), String> {
        let mut stood = self.in_the_way(asked).filter(|lease| {
            lease.session == holder
                && lease.asked_us <= at_us
                && lease.closed_us.is_none_or(|closed_us| closed_us >= asked.at_us)
        });
        stood.next().map_or_else(
            || Err(format!("it was blocked because of {holder}, which has no such lease")),
            |_| Ok(()),
        )
    }
}
