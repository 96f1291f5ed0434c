"""Which espeak mnemonics carry a syllable, and what else a language may put out.

The lists of English, Mandarin and Russian are what is sung after `english`, `mandarin` and `russian` have replaced
reduced sounds by full ones; `is_vowel` knows the vowels of every espeak language by the letter they begin with.
"""

ENGLISH_VOWELS = frozenset(
    "0 3 3: @ @L A: A@ E I O: O@ OI U U@ V a aI aI3 aI@ aU aU@ e@ eI i i: i@ i@3 o@ oU u u: m- n- l- A~ O~".split()
)
ENGLISH_CONSONANTS = frozenset("b d D dZ f g h j k l m n N p r s S t t# T tS v w x z Z".split())
MANDARIN_VOWELS = frozenset(
    "@ @r A Au E a ai e ei i i. i[ iA iE iou m- n- o o- ou u u@ uA uai uei uo y y& y@ yE yu iAu io ong ua".split()
)
MANDARIN_CONSONANTS = frozenset("f j k kh l m n N p ph s s. S; t th ts tsh ts. ts.h tS; tS;h w X z.".split())
RUSSIAN_VOWELS = frozenset('8 @ A E E# E2 I I# I2 a e i ja ju o u u" y V m- n-'.split())
RUSSIAN_CONSONANTS = frozenset(
    "b d d; dZ f g j k l m m; n n^ N p r s s; S S; t t; ts tS tS; v x z z; Z Z; ; R l^ Q".split()
)

_VOWEL_LETTERS = frozenset("aeiouyAEIOUVWY@&023456789")
_SYLLABIC = frozenset("l- m- n- N- r- l: r: r* ja ja# ju".split())


def is_vowel(symbol: str) -> bool:
    """Returns whether an espeak mnemonic, without marks, is a vowel or a syllabic consonant."""
    if symbol in _SYLLABIC:
        return True
    letter = symbol[1:2] if symbol.startswith("?") else symbol[:1]
    return letter in _VOWEL_LETTERS
