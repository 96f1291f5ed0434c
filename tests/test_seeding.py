from songwright.seeding import generator


def test_numbers_are_fixed_for_all_machines():
    assert generator(0, "melody", "chorus 1").integers(0, 1_000_000, 4).tolist() == [399476, 994742, 118666, 104666]


def test_every_scope_has_its_own_stream():
    scopes = [("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1", "")]
    draws = {tuple(generator(7, *scope).integers(0, 2**40, 3)) for scope in scopes}
    assert len(draws) == len(scopes)
    assert generator(1, "a").random() != generator(2, "a").random()
