"""How an edition looks and words its numbers: colours, number forms, dates. Used by views, formats and outputs alike."""
