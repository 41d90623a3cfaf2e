//! Carries tests/, benches/ and examples/; has no code of its own.
