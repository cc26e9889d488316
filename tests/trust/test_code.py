from __future__ import annotations

import numpy as np
import pytest

from reenact.trust import code


@pytest.mark.parametrize("mark_id", [0, 1, 0xFFFFFFFF, 0xDEADBEEF])
def test_round_trip(mark_id: int) -> None:
    bits = code.encode(mark_id)
    assert bits.shape == (code.LENGTH,)
    assert code.decode(1.0 - 2.0 * bits) == mark_id


def test_generators_by_hand() -> None:
    """A shift register written out, as an independent reference."""
    bits = code.encode(0x12345678)
    message = []
    register = [0] * 6
    taps = [[0, 2, 3, 5, 6], [0, 1, 4, 6], [0, 1, 2, 3, 4, 6]]  # 133, 145 and 175, newest bit first
    for triple in bits.reshape(-1, 3):
        for bit in (0, 1):
            window = [bit, *register]
            if [sum(window[t] for t in tap) % 2 for tap in taps] == list(triple):
                message.append(bit)
                register = window[:6]
                break
        else:
            raise AssertionError("no input bit gives these outputs")
    word = int("".join(map(str, message[8:40])), 2)
    assert word == 0x12345678 and message[56:] == [0] * 6


def test_it_corrects_a_tenth_of_wrong_bits() -> None:
    rng = np.random.default_rng(0)
    clean = 1.0 - 2.0 * code.encode(0xABCD1234)
    results = [code.decode(clean * np.where(rng.random(code.LENGTH) < 0.1, -1, 1)) for _ in range(50)]
    assert results.count(0xABCD1234) >= 45 and set(results) <= {0xABCD1234, None}


def test_chance_is_refused() -> None:
    rng = np.random.default_rng(1)
    assert all(code.decode(rng.normal(size=code.LENGTH)) is None for _ in range(200))
