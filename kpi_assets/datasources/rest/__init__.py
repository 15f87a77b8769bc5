"""An HTTP API: what is asked (`asking`), how (`client`), page after page (`paging`), how it is read (`reading`)."""
