"""Feeds as they are in the world, and as somebody would send them who means harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.content.sources.feeds import DEPTH_MAX, ITEMS_MAX, NoFeed, _Reader, feed
from edge.content.sources.paths import picked
from edge.content.sources.plain import RAW_CHARS

RSS = b"""<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" version="2.0"><channel>
<title><![CDATA[World news]]></title><description>The latest</description><link>https://news.example/</link>
<image><url>https://news.example/logo.gif</url><title>Logo</title></image>
<item><title><![CDATA[Rain &amp; sun]]></title>
<description>&lt;p&gt;It &lt;b&gt;rained&lt;/b&gt;.&lt;/p&gt;</description>
<link>https://news.example/1</link><pubDate>Fri, 21 Nov 2025 10:00:00 GMT</pubDate>
<media:title>photo</media:title></item>
<item><media:group><media:title>photo</media:title></media:group><title>Second</title></item>
</channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Blog</title>
<entry><title type="html">One &amp;amp; only</title>
<link href="https://blog.example/1"/><updated>2025-11-21T10:00:00Z</updated>
<summary type="xhtml">
<div xmlns="http://www.w3.org/1999/xhtml"><p>Some</p><p>text</p></div></summary></entry></feed>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel><title>Old</title></channel><item><title>First</title></item></rdf:RDF>"""


def test_rss():
    found = feed(RSS)
    assert found["title"] == "World news"
    assert [item["title"] for item in found["items"]] == ["Rain &amp; sun", "Second"]
    assert found["items"][0]["link"] == "https://news.example/1"
    assert found["items"][0]["at"] == "Fri, 21 Nov 2025 10:00:00 GMT"
    assert picked(found, "items[0].title") == "Rain & sun"
    assert picked(found, "items[0].summary") == "It rained."


def test_atom():
    found = feed(ATOM)
    assert found["title"] == "Blog"
    assert found["items"][0]["link"] == "https://blog.example/1"
    assert picked(found, "items[0].title") == "One & only"
    assert picked(found, "items[0].summary") == "Some text"


def test_rdf():
    assert feed(RDF) == {"title": "Old", "items": [{"title": "First"}]}


def test_an_encoding_of_its_own():
    text = '<?xml version="1.0" encoding="iso-8859-1"?><rss><channel><item><title>Zürich</title></item>'
    text += "</channel></rss>"
    assert feed(text.encode("latin-1"))["items"] == [{"title": "Zürich"}]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><rss><channel><title>&b;</title></channel></rss>', "document type"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>', "document type"),
        (b'<!DOCTYPE rss SYSTEM "http://127.0.0.1/a.dtd"><rss/>', "document type"),
        (b"<html><body>moved</body></html>", "no RSS or Atom feed"),
        (b"{}", "no XML"),
        (b"", "no XML"),
        (b"<rss><channel><item><title>cut", "no XML"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "no XML"),
        (b"<rss>" + b"<a>" * DEPTH_MAX, "nested too deeply"),
        (b"<rss><channel><title>&nbsp;</title></channel></rss>", "no XML"),
    ],
)
def test_what_is_refused(body, why):
    with pytest.raises(NoFeed) as said:
        feed(body)
    assert why in str(said.value)


def test_it_is_bounded():
    item = b"<item><title>" + b"x" * 9000 + b"</title></item>"
    found = feed(b"<rss><channel>" + item * (ITEMS_MAX + 5) + b"</channel></rss>")
    assert len(found["items"]) == ITEMS_MAX
    assert all(len(item["title"]) < 20_000 for item in found["items"])
    reader = _Reader()
    for tag in ("rss", "channel", "title"):
        reader.begin(tag, {})
    for _ in range(2 * RAW_CHARS):  # a piece of text for each element within a title
        reader.begin("b", {})
        reader.end("b")
    assert len(reader._said) == RAW_CHARS


@given(st.binary(max_size=300) | st.lists(st.sampled_from([RSS[:n] for n in range(0, len(RSS), 37)])).map(b"".join))
def test_whatever_comes_it_is_a_feed_or_a_sentence(body):
    try:
        assert set(feed(body)) == {"title", "items"}
    except NoFeed as error:
        said = str(error)
        assert said
