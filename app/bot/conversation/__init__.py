"""From the first question to a submitted job: dialog, draft order, pictures."""
