use fencehold_model::event::{Evidence, Process};
use fencehold_model::id::BootId;
use fencehold_model::{Claim, Entry, Event, Holder, LockName, NUMBER_BOUND, OpId};
use proptest::prelude::*;

/// Any text that is an id: unicode, escapes of JSON, spaces within.
pub(super) fn id_text() -> impl Strategy<Value = String> {
    let inner = proptest::collection::vec(
        prop_oneof![
            any::<char>(),
            Just('"'),
            Just('\\'),
            Just('/'),
            Just(' '),
            Just('\u{2028}'),
            Just('ß'),
            Just('🦀')
        ],
        1..20,
    );
    inner
        .prop_map(|chars| chars.into_iter().filter(|char| !char.is_control()).collect::<String>())
        .prop_filter_map("an id is not blank", |text| {
            let text = text.trim().to_owned();
            (!text.is_empty() && text.len() <= 256).then_some(text)
        })
}

pub(super) fn name() -> impl Strategy<Value = LockName> {
    id_text().prop_map(|text| LockName::new(&text).unwrap())
}

pub(super) fn holder() -> impl Strategy<Value = Holder> {
    id_text().prop_map(|text| Holder::new(&text).unwrap())
}

pub(super) fn claim() -> impl Strategy<Value = Claim> {
    id_text().prop_map(|text| Claim::new(&text).unwrap())
}

pub(super) fn boot() -> impl Strategy<Value = BootId> {
    id_text().prop_map(|text| BootId::new(&text).unwrap())
}

/// Any number of a journal.
pub(super) fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(NUMBER_BOUND - 1), 0..NUMBER_BOUND]
}

pub(super) fn process() -> impl Strategy<Value = Process> {
    (number(), number(), boot(), number(), any::<String>()).prop_map(
        |(pid, start_ticks, boot, pid_namespace, host)| Process {
            pid,
            start_ticks,
            boot,
            pid_namespace,
            host,
        },
    )
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        Just(Evidence::NoSuchProcess),
        Just(Evidence::Exited),
        Just(Evidence::OtherStartTime),
        Just(Evidence::EarlierBoot)
    ]
}

pub(super) fn party() -> impl Strategy<Value = Option<(u64, String)>> {
    proptest::option::of((number(), any::<String>()))
}

/// Any event, of a name of `names`.
pub(super) fn event_of(names: impl Strategy<Value = LockName> + Clone) -> impl Strategy<Value = Event> {
    let granted = (
        (names.clone(), holder(), proptest::option::of(claim()), number(), number()),
        (proptest::option::of(process()), party(), proptest::option::of(evidence())),
    )
        .prop_map(|((name, holder, claim, ttl_ms, expires_ms), (bound, asked_by, over))| {
            Event::LockGranted { name, holder, claim, ttl_ms, expires_ms, bound, asked_by, over }
        });
    prop_oneof![
        (boot(), number(), number()).prop_map(|(boot, anchor_ms, monotonic_ms)| Event::Boot {
            boot,
            anchor_ms,
            monotonic_ms
        }),
        granted,
        (names.clone(), number(), number(), number()).prop_map(|(name, token, ttl_ms, expires_ms)| {
            Event::LockRenewed { name, token, ttl_ms, expires_ms }
        }),
        (names.clone(), number()).prop_map(|(name, token)| Event::LockReleased { name, token }),
        (names, number(), any::<String>()).prop_map(|(name, token, reason)| Event::LockBroken {
            name,
            token,
            reason
        }),
        any::<String>().prop_map(|reason| Event::Repaired { reason }),
    ]
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    event_of(name().boxed())
}

/// Entries that follow each other: revisions grow, times do not go back; tokens often name an earlier grant.
pub(super) fn entries(most: usize) -> impl Strategy<Value = Vec<Entry>> {
    let names = prop_oneof![Just("x"), Just("y"), Just("z ß")].prop_map(|text| LockName::new(text).unwrap());
    let one = (
        1u64..9,
        prop_oneof![0u64..5, Just(700_000)],
        holder(),
        id_text(),
        event_of(names.boxed()),
        any::<u8>(),
    );
    proptest::collection::vec(one, 1..most).prop_map(|drawn| {
        let (mut revision, mut at_ms, mut granted) = (0, 0, Vec::new());
        let entry = |(step, later_ms, actor, op, mut event, pick): (u64, u64, _, String, _, u8)| {
            (revision, at_ms) = (revision + step, at_ms + later_ms);
            let known: Option<&u64> = granted.get(usize::from(pick) % (granted.len() + 1));
            match &mut event {
                Event::LockGranted { ttl_ms, expires_ms, .. } => {
                    // As every decision makes it: an expiry does not lie before its grant.
                    *expires_ms = at_ms + *ttl_ms % 1_000_000;
                    granted.push(revision);
                }
                Event::LockRenewed { token, .. }
                | Event::LockReleased { token, .. }
                | Event::LockBroken { token, .. } => *token = known.copied().unwrap_or(*token),
                _ => {}
            }
            Entry { revision, at_ms, actor, op: OpId::new(&op).unwrap(), event }
        };
        drawn.into_iter().map(entry).collect()
    })
}
