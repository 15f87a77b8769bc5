"""What outputs share that publish to another machine: a folder there, an edition in it, `latest` beside it."""
