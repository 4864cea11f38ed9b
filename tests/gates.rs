/// The gates of a `fencehold.toml`: read, written, refused.
mod config;
