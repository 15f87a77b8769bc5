"""Google Analytics 4: names old and new (`names`), `filters`, the question (`asking`), its request (`wire`), the calls
(`client`), the property (`choosing`), the answer (`reading`)."""
