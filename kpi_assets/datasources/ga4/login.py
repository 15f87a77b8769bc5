"""The login of a service account: its key file, and tokens got with it."""

from __future__ import annotations

from typing import Any

from kpi_assets.datasources.web import RefusedError

SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
ADVICE = (
    "download a JSON key of the service account (IAM & Admin > Service Accounts > Keys) and name its path"
)


def credentials_of(path: str) -> Any:
    """Google credentials that log in with a key file. Raises RefusedError for a file that is none."""
    from google.auth.credentials import Credentials

    account = _account_of(path)

    class KeyFile(Credentials):
        """The account's tokens and nothing else: its own class would ask a further server, in a thread, where the
        account may be used, which is not our business and fails behind a firewall."""

        def refresh(self, request: Any) -> None:
            account.refresh(request)
            self.token, self.expiry = account.token, account.expiry

    make: Any = KeyFile
    return make()


def _account_of(path: str) -> Any:
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_file(path, scopes=[SCOPE])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RefusedError(f"`key_file` {path} cannot be read ({reason}): {ADVICE}") from None
    except (ValueError, AttributeError, TypeError):  # no chain: the text of a broken key may stand in it
        raise RefusedError(f"`key_file` {path} is no key of a service account: {ADVICE}") from None
