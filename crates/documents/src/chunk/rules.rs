use omni_domain::Invalid;

/// The fewest tokens that a chunk may be limited to: below that, a cut could not even keep a character of a rare script.
const LEAST_MAX_TOKENS: usize = 16;

/// How large chunks may be and how much they share, in [estimated tokens](crate::estimate_tokens).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkRules {
    max_tokens: usize,
    overlap_tokens: usize,
}

impl ChunkRules {
    /// Chunks of at most `max_tokens`, of which each repeats up to `overlap_tokens` of the one before.
    ///
    /// # Errors
    /// [`Invalid`] if a chunk would be smaller than 16 tokens, or more than half of it a repetition.
    pub fn new(max_tokens: usize, overlap_tokens: usize) -> Result<Self, Invalid> {
        if max_tokens < LEAST_MAX_TOKENS {
            return Err(Invalid::new("max_tokens", format!("must be at least {LEAST_MAX_TOKENS}")));
        }
        if overlap_tokens > max_tokens / 2 {
            return Err(Invalid::new("overlap_tokens", "must be at most half of max_tokens"));
        }
        Ok(Self { max_tokens, overlap_tokens })
    }

    /// The most tokens of a chunk.
    #[must_use]
    pub fn max_tokens(self) -> usize {
        self.max_tokens
    }

    /// The most tokens that a chunk repeats.
    #[must_use]
    pub fn overlap_tokens(self) -> usize {
        self.overlap_tokens
    }
}

/// 400 tokens, of which 40 are repeated.
impl Default for ChunkRules {
    fn default() -> Self {
        Self { max_tokens: 400, overlap_tokens: 40 }
    }
}
