"""The pages of docs/ in use: their commands typed as they stand there, their files put where they say."""
