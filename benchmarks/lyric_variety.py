"""Do two songs on one subject say different things, and does the chorus name what it is about?

For narrow subjects and several seeds each: the share of lines that two seeds have in common (median and 90th percentile
over all pairs; lines of the shorter song count), and the share of songs whose chorus names or pictures its subject, by
the lists of words below.

Usage: python benchmarks/lyric_variety.py [--seeds 8] [--languages en,zh,ru]
"""

import argparse
import itertools
import re
from statistics import median

from songwright.brief.reader import read_prompt
from songwright.lyrics.assemble import assemble
from songwright.lyrics.request import LyricRequest, SectionRequest

PICTURES = {
    "en": {
        "pop song about summer": (
            "summer sun sunny sunburn heat hot july august june beach swim swims ice lemonade warm barefoot "
            "pool shade melon cicadas holiday holidays"
        ),
        "a song about the sea": (
            "sea seas ocean wave waves tide water shore beach boat boats ship ships sail sails salt harbour "
            "island sand swim foam deep coast pier anchor gull gulls"
        ),
        "a song about the city at night": (
            "city night nights midnight street streets neon lights light town tram taxi windows window "
            "traffic dark bus floor"
        ),
        "a song about rain": (
            "rain rains raining rainy umbrella storm puddle puddles drops wet thunder pour pours pouring "
            "cloud clouds soaked drizzle coat"
        ),
        "a song about the road": (
            "road roads drive driving car miles mile highway wheel map train truck ride engine motel bus "
            "route anywhere"
        ),
        "a love song": "love loved loves loving kiss heart darling sweetheart hold",
        "a song about saying goodbye": "goodbye leave leaving left gone farewell bye wave waved train keys",
        "a song about home": "home house kitchen door porch lane hall roof stairs garden hearth table gate",
        "a song about friendship": "friend friends friendship together beside mates crew",
        "a party song for dancing": (
            "dance dancing dances party floor music night song beat room feet bass turn house loud"
        ),
        "a christmas song": (
            "christmas winter snow snowing december star tree bells frost cold candle candles fire gift "
            "gifts place white ice"
        ),
        "a song about childhood": (
            "child childhood kid kids school small young little eight bike tree toy toys swing swings "
            "playground chalk knees seven six nine ten years"
        ),
    },
    "zh": {
        "关于夏天的流行歌": "夏 汽水 西瓜 蝉 太阳 晒 海边 冰棍 晴 暑 七月 八月 阳光 游泳 沙滩",
        "一首关于大海的歌": "海 浪 潮 沙滩 岛 帆 船 港 贝壳 灯塔 岸",
        "一首关于城市夜晚的歌": "城 夜 霓虹 街 路灯 灯 晚 地铁 凌晨 楼 车流 便利店",
        "一首关于下雨的歌": "雨 伞 屋檐 湿 雷 积水",
        "一首关于旅途的歌": "路 远方 车 站 旅 出发 公里 地图 行李 票 风景",
        "一首情歌": "爱 喜欢 心动 吻 牵手 抱 心跳",
        "一首关于告别的歌": "告别 再见 离开 送你 送别 挥手 散场 站台 分手 转身 离别",
        "一首关于家的歌": "家 门 厨房 饭 灯 院 妈 窗 巷 屋",
        "一首关于友情的歌": "朋友 兄弟 一起 老友 同学 陪 哥们",
        "派对舞曲": "跳 舞 派对 今晚 音乐 节奏 鼓点 狂欢 干杯 摇 转",
        "一首关于冬天的歌": "冬 雪 冷 围巾 炉 火锅 冰 白 圣诞 手套 暖",
        "一首关于童年的歌": "小时候 童年 孩子 小孩 长大 玩 糖 秋千 纸飞机 风筝 弹珠 放学",
    },
    "ru": {
        "поп-песня про лето": (
            "лет(о|а|у|ом|е|ний|нее|ней|ние)?$ июл июн август солн жар пляж море тепл загар дач купа босик "
            "арбуз"
        ),
        "песня про море": "мор(е|я|ю|ем|ск) волн берег прибо чайк кораб песо песк солён лодк парус маяк причал вод",
        "песня про ночной город": "город ноч огн фонар улиц неон проспект метро окн трамва крыш такси темно",
        "песня про дождь": "дожд ливн зонт луж капл туч гроз мокр вод крыш",
        "песня про дорогу": "дорог пут поезд вагон шосс трасс ех едем еду маршрут вокзал машин рул километр",
        "песня о любви": "люб целу поцел сердц рядом обним нежн влюб",
        "песня про прощание": "проща свидан уход уезж поезд отпуска перрон расста уйд разлук",
        "песня про родной дом": "дом дом(а|у|ой|е|ом)$ двер окн кухн порог двор свет чай калитк печ крыльц",
        "песня о дружбе": "друг$ друга друзь друзе друж вместе рядом вдво плеч",
        "песня для вечеринки и танцев": "танц тан[чц] музык вечерин ритм пол(у|а)?$ ноч бас громк праздн диско круж",
        "песня про зиму": "зим снег снеж мороз метел вьюг лёд льд холод декабр январ варежк новогод ёлк бел",
        "песня про детство": "детст двор качел игр школ велосип ребён взросл мяч мел$ качели",
    },
}  # fmt: skip


def form(language: str) -> tuple[SectionRequest, ...]:
    """Returns a common form: verse, prechorus, chorus, longer verse, prechorus, chorus, bridge, chorus, ending."""
    size = 9.0 if language == "zh" else 8.0
    rows = (
        "verse 4",
        "prechorus 2",
        "chorus 4",
        "verse 8",
        "prechorus 2",
        "chorus 4",
        "bridge 4",
        "chorus 4",
        "outro 2",
    )
    return tuple(SectionRequest(r.split()[0], int(r.split()[1]), size) for r in rows)  # type: ignore[arg-type]


def pictured(lines: tuple[str, ...], words: str, language: str) -> bool:
    """Returns whether lines hold one of the words (Russian: beginnings; Chinese: characters)."""
    text = " ".join(lines).lower().replace("’", "'")
    if language == "zh":
        return any(word in text for word in words.split())
    tokens = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text)
    if language == "ru":
        return any(re.match(word, token) for word in words.split() for token in tokens)
    return bool(set(words.split()) & set(tokens))


def main() -> None:
    """Prints a row for each subject and one for each language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--languages", default="en,zh,ru")
    options = parser.parse_args()
    print(f"{'subject':<36}{'shared':>8}{'p90':>6}{'choruses':>10}{'pictured':>10}")
    for language in options.languages.split(","):
        pairs: list[float] = []
        seen: list[bool] = []
        for prompt, words in PICTURES[language].items():
            brief = read_prompt(prompt)
            sung, choruses = [], []
            for seed in range(options.seeds):
                request = LyricRequest(
                    language, subject=brief.subject, moods=brief.moods, images=brief.images, prompt=prompt,
                    style=(*brief.styles, "pop")[0], sections=form(language), seed=seed,
                )  # fmt: skip
                written = assemble(request).sections
                sung.append({line for lines in written for line in lines})
                choruses.append(written[2])
            own = [len(a & b) / min(len(a), len(b)) for a, b in itertools.combinations(sung, 2)]
            hits = [pictured(chorus, words, language) for chorus in choruses]
            row(prompt, own, len(set(choruses)), hits)
            pairs += own
            seen += hits
        row(f"all {language}", pairs, 0, seen)


def row(name: str, shared: list[float], num_choruses: int, hits: list[bool]) -> None:
    """Prints shares in percent."""
    high = sorted(shared)[int(0.9 * (len(shared) - 1))]
    count = num_choruses or ""
    print(f"{name:<36}{100 * median(shared):>7.0f}%{100 * high:>5.0f}%{count:>10}{100 * sum(hits) / len(hits):>9.0f}%")


if __name__ == "__main__":
    main()
