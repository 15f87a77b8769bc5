"""What the Slack output is made of: its words to the API, and what the API's refusals mean."""
