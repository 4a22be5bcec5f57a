"""Secrets are hidden in whatever text they stand, and nothing else is."""

import pytest

from udfs.errors import InputError
from udfs.lake import uri_of
from udfs.redaction import is_secret, redacted

SIGNED = "https://lake.example/a%20b.jpg?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=0f3e"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SIGNED, "https://lake.example/a%20b.jpg?***"),
        (f"{SIGNED}: cannot be read", "https://lake.example/a%20b.jpg?***: cannot be read"),
        (f"'{SIGNED}' is not a file", "'https://lake.example/a%20b.jpg?***' is not a file"),
        ("abfss://c@a.dfs.core.windows.net/x?sv=2026&sig=k%3D", "abfss://c@a.dfs.core.windows.net/x?***"),
        ("gs://b/o?token=abc", "gs://b/o?***"),
        ("s3://key:pass/word@host/bucket", "s3://key:pass/word@host/bucket"),  # no user: a host, its port, and a path
        ("s3://AKIA:wJalr@bucket/x", "s3://***@bucket/x"),
        ("s3://:wJalr@bucket/x", "s3://***@bucket/x"),
        ("jdbc:postgresql://user:p@ss@host/db", "jdbc:postgresql://***@host/db"),
        ("file:///lake/a.jpg%3FX-Amz-Signature%3D0f3e", "file:///lake/a.jpg%3FX-Amz-Signature%3D***"),
        ("a.jpg?x=1&sig=0f3e&y=2", "a.jpg?x=1&sig=***&y=2"),
        ("spark.hadoop.fs.s3a.secret.key=wJalr", "spark.hadoop.fs.s3a.secret.key=***"),
        ("--conf spark.hadoop.fs.s3a.access.key AKIA", "--conf spark.hadoop.fs.s3a.access.key ***"),
        ("fs.azure.account.key.a.dfs.core.windows.net = abc==", "fs.azure.account.key.a.dfs.core.windows.net = ***"),
        ("fs.azure.sas.c.a.blob.core.windows.net: sv=1", "fs.azure.sas.c.a.blob.core.windows.net: ***"),
        ("javax.jdo.option.ConnectionPassword=hive", "javax.jdo.option.ConnectionPassword=***"),
        ("spark.authenticate.secret: x", "spark.authenticate.secret: ***"),
        (
            "spark.hadoop.fs.gs.auth.service.account.private.key=MIIE",
            "spark.hadoop.fs.gs.auth.service.account.private.key=***",
        ),
        ("spark.hadoop.fs.s3a.encryption.key=abc", "spark.hadoop.fs.s3a.encryption.key=***"),
    ],
)
def test_secrets_are_hidden(text: str, said: str) -> None:
    assert redacted(text) == said
    assert redacted(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "s3://lake/2026-01-31/a.jpg",
        "abfss://container@account.dfs.core.windows.net/a.jpg",
        "hdfs://user@namenode:8020/rollcall",
        "is this right? yes: 12:30 a@b",
        "write ? as %3F and # as %23",
        "file:///lake/what%3F.jpg",
        "spark.driver.memory=2g",
        "{'photo': '/a.jpg', 'k': '2'}",
    ],
)
def test_nothing_else_is(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("source", [SIGNED.replace("https", "s3"), "s3://AKIA:wJalr@bucket/x"])
def test_what_is_wrong_is_said_without_it(source: str) -> None:
    with pytest.raises(InputError) as refused:
        uri_of(source)
    assert all(secret not in str(refused.value) for secret in ("0f3e", "AKIA", "wJalr"))
    assert "***" in str(refused.value)


def test_names_of_secrets() -> None:
    assert is_secret("spark.hadoop.fs.s3a.secret.key")
    assert is_secret("spark.hadoop.fs.azure.account.key.a.dfs.core.windows.net")
    assert is_secret("spark.hadoop.fs.s3a.server-side-encryption.key")
    assert is_secret("spark.hadoop.fs.gs.auth.service.account.private.key")
    assert not is_secret("spark.driver.memory")
