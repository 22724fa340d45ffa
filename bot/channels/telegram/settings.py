"""What Telegram reads of the environment. Without a token there is no Telegram."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from config.settings import PREFIX, ChannelSettings, SettingsFaults, refuse_open

_TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,80}")
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")
_ADDRESS = re.compile(r"https?://[^\s@]+")


class TelegramSettings(ChannelSettings):
    """`PRAAT_TELEGRAM_...`."""

    telegram_token: SecretStr = Field(SecretStr(""), repr=False)
    telegram_token_file: Path | None = None
    telegram_webhook_secret: SecretStr = Field(SecretStr(""), repr=False)  # empty: updates are fetched by long polling
    telegram_base_url: str = "https://api.telegram.org"
    telegram_fallback: str | None = None  # the gemeente that receives children who named none

    @field_validator("telegram_token")
    @classmethod
    def _is_token(cls, token: SecretStr) -> SecretStr:
        if token.get_secret_value() and not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("must be a token as BotFather gives it")
        return token

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _is_secret(cls, secret: SecretStr) -> SecretStr:
        if secret.get_secret_value() and not _WEBHOOK_SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("must be 32 to 256 letters, digits, - or _ (make one with: openssl rand -hex 32)")
        return secret

    @field_validator("telegram_base_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if not _ADDRESS.fullmatch(url):
            raise ValueError("must be an address such as https://api.telegram.org, without a name or password")
        return url

    @field_validator("telegram_token_file")
    @classmethod
    def _closed_token(cls, file: Path | None) -> Path | None:
        if file is not None:
            refuse_open(file)
        return file

    def token(self) -> str | None:
        """The bot's token, or None when there is no Telegram. Raises `SettingsFaults`, never with the token in it."""
        if self.telegram_token_file is None:
            return self.telegram_token.get_secret_value() or None
        try:
            token = self.telegram_token_file.read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise SettingsFaults({f"{PREFIX}TELEGRAM_TOKEN_FILE": f"cannot be read ({type(error).__name__})"}) from None
        if not _TOKEN.fullmatch(token):
            raise SettingsFaults({f"{PREFIX}TELEGRAM_TOKEN_FILE": "must hold a token as BotFather gives it"})
        return token
