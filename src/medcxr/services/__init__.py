"""What users do: analyze, predict, train, sign in."""
