"""How an edition looks and words its numbers: colours, number forms, dates. For views and formats."""
