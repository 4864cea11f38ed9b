//! Numbers drawn from a seed.

/// A small deterministic generator (SplitMix64): the same numbers on every machine and in every version.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `of`, which is not 0 (multiply and shift; the bias is below 2^-32).
    pub fn below(&mut self, of: u32) -> u32 {
        assert!(of > 0, "a number below nothing");
        u32::try_from((u128::from(self.bits()) * u128::from(of)) >> 64).expect("the product is below `of`")
    }
}
