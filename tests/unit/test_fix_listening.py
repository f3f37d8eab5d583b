"""The wire looks at its own descriptors and leaves none behind."""

import os

from services.fix.wire.listening import limit_unread, open_descriptors


def test_a_look_at_the_connections_leaves_no_descriptor_open() -> None:
    read, write = os.pipe()  # no socket, as the files of a store are none
    try:
        before = open_descriptors()
        for _ in range(5):
            limit_unread(frozenset({1}))
        assert open_descriptors() == before
    finally:
        os.close(read)
        os.close(write)
