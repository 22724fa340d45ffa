"""What every published text must pass: simple Dutch, and the closed catalogue of speech acts."""
