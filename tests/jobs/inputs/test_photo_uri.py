"""The URI of a photo, as Hadoop and people write it."""

import pytest

from jobs.inputs.photo_uri import absolute


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("hdfs:/lake/a.jpg", "hdfs:///lake/a.jpg"),
        ("viewfs:/lake/a.jpg", "viewfs:///lake/a.jpg"),
        ("file:/lake/a b.jpg", "file:///lake/a%20b.jpg"),
        ("hdfs://name:8020/lake/a.jpg", "hdfs://name:8020/lake/a.jpg"),
        ("a.jpg", "s3://people/b/a.jpg"),
    ],
)
def test_one_slash_is_as_good_as_three(written: str, uri: str) -> None:
    assert absolute("s3://people/b/list.csv", written) == uri
