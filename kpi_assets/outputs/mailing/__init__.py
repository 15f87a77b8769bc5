"""What the channels that send mail share: addresses, the letter made from a document, and its wire form."""
