"""No secret gets through, wherever it stands in a text; what is none stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_kernel.redaction import holds_secret, redacted, without_password

CARRIERS = (
    "jdbc:postgresql://h/db?user=a&password={}",
    "jdbc:sqlserver://h:1433;databaseName=d;user=a;password={};encrypt=true",
    "bad url https://ada:{}@h/x",
    "cannot get https://{}@github.com/a/b.whl: 404",
    "GET https://h/x?a=1&token={}&b=2 failed",
    "GET https://h/x?api-token={}",
    "https://account.blob.example.org/c?sv=1&sig={}",
    "https://s3.example.org/k?X-Amz-Signature={}",
    "ran: upload --token {} file",
    "ran: upload --password={} file",
    "-Dx.trustStorePassword={} -Xmx1g",
    "spark.hadoop.fs.s3a.secret.key={}",
    "Authorization: Bearer {}",
    '{{"password": "{}"}}',
)
SECRETS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789_-", min_size=20, max_size=40)
AROUND = st.text(st.characters(exclude_categories=["Cs", "L", "N"]), max_size=30)


@given(st.sampled_from(CARRIERS), SECRETS, AROUND, AROUND)
def test_secret_is_hidden_whatever_is_around_it(carrier, secret, before, after):
    text = f"{before} {carrier.format('q' + secret)} {after}"
    shown = redacted(text)
    assert secret not in shown
    assert "***" in shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Spark 4.0.1 ready on analytics (spark://host:7077)",
        "spark://CoarseGrainedScheduler@10.0.0.1:35001",
        "abfss://container@account.dfs.core.windows.net/data and hdfs://ada@name:9000/",
        "the delegation token is expired; renew the delegation-token today",
        "bearer tokens are sent over TLS only",
        "http://h:8080/logPage/?appId=app-1&executorId=0&logType=stdout",
        "set spark.authenticate.secret to the secret of the cluster",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


def test_lone_token_in_a_url_is_a_secret():
    url = "https://ghp_abc@github.com/x.whl"
    assert without_password(url) == "https://***@github.com/x.whl"
    assert holds_secret("spark.x", url)
    assert holds_secret("spark.x", "--token abc")
    assert not holds_secret("spark.x", "abfss://container@account.dfs.core.windows.net/x")


def test_password_with_an_at_sign_is_hidden_in_full():
    assert without_password("https://ada:open@sesame@h/x") == "https://ada:***@h/x"
