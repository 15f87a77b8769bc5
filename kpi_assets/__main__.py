"""`python -m kpi_assets` is `kpi-assets`."""

from kpi_assets.cli import main

if __name__ == "__main__":
    main()
