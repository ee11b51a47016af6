"""Limits, load and the end: what a server does when there is too much, or no more time."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest


def together(record) -> int:
    return int(record["notes"][0].split()[1])


def test_requests_at_the_same_time_share_passes_and_each_gets_its_own_records(server):
    def ask(number: int) -> int:
        (record,) = server.extract(f"Article {number} takes 0.05 seconds.").records
        assert record["quotes"][0]["text"].startswith(f"Article {number} ")
        return together(record)

    with ThreadPoolExecutor(16) as pool:
        assert max(pool.map(ask, range(48))) > 1


def test_a_short_request_does_not_wait_for_a_long_one(start):
    server = start(chars_at_once=1)
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(server.extract, *["This takes 0.2 seconds."] * 40)
        time.sleep(1)
        server.extract("Short.")
        assert not long.done()
        assert len(long.result().records) == 40


def test_a_request_of_too_many_bytes_is_refused(start):
    server = start(body=1000)
    text = "x" * 1000
    assert (server.extract(text).status, server.extract(text).kind) == (413, "too_large")
    with server.connect() as connection:  # one that does not say how long it is
        head = "POST /extract HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(f"{600:x}\r\n{'x' * 600}\r\n".encode() * 2)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")
    assert server.extract("Fine.").records


@pytest.mark.parametrize("limits", [{"waiting": 2}, {"held": 150}])
def test_more_than_may_wait_is_told_to_come_again(start, limits):
    server = start(**limits)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.extract("This takes 1 seconds."), range(8)))
    refused = [answer for answer in answers if answer.status != 200]
    assert 0 < len(refused) < 8
    assert {(answer.status, answer.kind) for answer in refused} == {(429, "busy")}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert server.extract("Fine again.").records


def test_what_takes_too_long_is_given_up(start):
    server = start(seconds=3, chars_at_once=1)
    answer = server.extract("This takes 4 seconds.", *["This takes 60 seconds."] * 9)
    assert (answer.status, answer.kind) == (504, "timeout")
    time.sleep(2)
    assert server.extract("Fine again.").records  # the nine were never read


def test_nothing_is_read_for_a_client_that_went_away(start):
    server = start(chars_at_once=1)
    article = '{"id": "a", "text": "This takes 1 seconds."}'
    sent = f'{{"articles": [{", ".join([article] * 200)}]}}'
    head = "POST /extract HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with server.connect() as connection:
        connection.sendall(f"{head}Content-Length: {len(sent)}\r\n\r\n{sent}".encode())
        while server.get("/health").json["requests"] != 1:
            time.sleep(0.1)
    assert server.extract("Fine.").records
    assert server.get("/health").json["requests"] == 0


def test_a_request_that_does_not_arrive_is_refused_and_its_place_is_free_again(start):
    server = start(sending=2, waiting=1)
    with server.connect() as connection:
        head = "POST /extract HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
        assert server.extract("Fine.").records


def test_a_connection_on_which_nothing_is_sent_is_cut(start):
    server = start(headers=2)
    with server.connect() as idle, server.connect() as slow:
        slow.sendall(b"GET /hea")
        assert idle.recv(10) == b""
        assert slow.recv(10) == b""
    assert server.get("/health").status == 200


# ---- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_was_begun_is_finished_before_the_end(start, how):
    server = start()
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(server.extract, "This takes 2 seconds.")
        time.sleep(1)
        assert server.stop(how) == (0, "ended True\n")
        assert begun.result().records


def test_what_cannot_be_finished_in_time_is_refused_at_the_end(start):
    server = start(grace=1, chars_at_once=1)
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(server.extract, *["This takes 0.5 seconds."] * 200)
        time.sleep(1)
        assert server.stop() == (0, "ended True\n")
        answer = begun.result()
    assert (answer.status, answer.kind) == (503, "stopping")


def test_a_server_whose_reader_has_ended_says_so(start):
    server = start()
    assert server.extract("This ends the thread.").status == 503
    assert (server.get("/health").status, server.extract("Next.").status) == (503, 503)
