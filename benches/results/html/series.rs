//! How each subject is drawn: a colour, a shape and a line of its own, the same in every picture. No two are told apart
//! by colour alone.

use std::fmt::Write as _;

use crate::results::Subject;

/// The class that gives it its colour and its line.
pub(super) fn class(subject: Subject) -> &'static str {
    subject.id()
}

/// Its shape around a point.
pub(super) fn mark(subject: Subject, x: f64, y: f64) -> String {
    let path = |points: &[(f64, f64)]| {
        let mut d = String::new();
        for (index, (dx, dy)) in points.iter().enumerate() {
            let _ = write!(d, "{}{:.1} {:.1}", if index == 0 { "M" } else { "L" }, x + dx, y + dy);
        }
        format!("<path class=\"mark\" d=\"{d}Z\"/>")
    };
    match subject {
        Subject::Ours | Subject::OursRelaxed => {
            format!("<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>")
        }
        Subject::Bare => path(&[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)]),
        Subject::SqliteFull | Subject::SqliteNormal => path(&[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)]),
        Subject::Redb => path(&[(0.0, -5.5), (5.5, 0.0), (0.0, 5.5), (-5.5, 0.0)]),
        Subject::Json => path(&[(-2.0, -5.0), (2.0, -5.0), (2.0, 5.0), (-2.0, 5.0)]),
        Subject::ProperLockfile => path(&[(0.0, 5.0), (5.0, -4.0), (-5.0, -4.0)]),
        Subject::Filelock => path(&[(-5.0, -2.0), (5.0, -2.0), (5.0, 2.0), (-5.0, 2.0)]),
    }
}

/// What line and shape are whose.
pub(super) fn legend(subjects: &[Subject]) -> String {
    let mut out = String::from("<ul class=\"legend\">\n");
    for subject in subjects {
        let _ = writeln!(
            out,
            "<li class=\"{}\"><svg width=\"34\" height=\"14\" aria-hidden=\"true\"><line class=\"line\" x1=\"1\" y1=\"7\" \
             x2=\"33\" y2=\"7\"/>{}</svg> {}</li>",
            class(*subject),
            mark(*subject, 17.0, 7.0),
            subject.name()
        );
    }
    out.push_str("</ul>\n");
    out
}
