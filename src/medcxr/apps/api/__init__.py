"""The HTTP API: other programs analyze and ask by tokens; the dashboard's services answer."""
