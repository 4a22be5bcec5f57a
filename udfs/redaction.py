"""Secrets do not belong into messages, logs and the ledger, in whatever text they stand."""

import re

HIDDEN = "***"

_USER = re.compile(r"([a-z][a-z0-9+.-]*://)[^\s/?#:@'\"]*:[^\s/?#'\"]*@", re.IGNORECASE)
"""user:password@ of a URI."""
_QUERY = re.compile(r"([a-z][a-z0-9+.-]*://[^\s?'\"<>]*)\?[^\s'\"<>]*[^\s'\"<>:;,.)]", re.IGNORECASE)
"""The query of a URI: signed URLs are as good as the key while they are valid."""
_PARAMETER = re.compile(
    r"\b((?:x-(?:amz|goog)-(?:signature|credential|security-token)|awsaccesskeyid|signature|sig|access_token|token"
    r"|password|passwd|secret)(?:=|%3D))(?!%26)[^\s&'\",;]+?(?=%26|[\s&'\",;]|$)",
    re.IGNORECASE,
)
"""Parameters that are secrets, wherever they stand, as in the name of a file that was fetched by such a URL."""
_PROPERTY = re.compile(
    r"\b((?:spark|fs|hadoop|javax)\.[\w.-]*(?:secret|password|token|credential|account\.key|access\.key|private\.key|encryption\.key|sas)[\w.-]*"
    r"\s*[=\s:]\s*)[^\s,;'\"]+",
    re.IGNORECASE,
)
"""Properties of Spark and Hadoop that are secrets, with their values."""


def redacted(text: str) -> str:
    """The text without passwords, signatures and keys.

    Hidden are user and password of a URI, its query, parameters such as `sig=`, and the values of Spark's properties
    that are secrets.
    """
    text = _USER.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1?{HIDDEN}", text)
    text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
    return _PROPERTY.sub(rf"\1{HIDDEN}", text)


_SECRET_NAME = re.compile(
    r"secret|password|token|credential|(?:account|access|private|encryption)\.key|\.sas\b", re.IGNORECASE
)


def is_secret(name: str) -> bool:
    """Whether the value of a property of this name is a secret."""
    return _SECRET_NAME.search(name) is not None
