"""Pages in Japanese, Chinese and Korean: few characters and no spaces make neither short paragraphs nor short pages."""

import pytest

from cleaning.extract import extract
from cleaning.language import count_wide, extent, spaced_words
from cleaning.page.blocks import Block
from cleaning.schema import Page
from cleaning.verdict import Verdict

JAPANESE = """
<header><a href="/">港町新聞</a><nav><ul><li><a href="/p">政治</a></li><li><a href="/e">経済</a></li><li>
<a href="/s">社会</a></li>
<li><a href="/i">国際</a></li><li><a href="/sp">スポーツ</a></li></ul></nav></header>
<main><article><h1>港の新しい橋、開通は来年春に延期</h1><div class="date">2025年6月3日 9時00分</div>
<div class="share"><a href="#">シェア</a><a href="#">ツイート</a><a href="#">印刷</a></div>
<p>県は3日、港にかかる新しい橋の開通を来年春に延期すると発表した。支柱の検査で小さなひびが見つかったためだ。</p>
<p>工事の責任者は記者会見で「安全を第一に考えた。市民の皆さんには申し訳ない」と話した。</p>
<p>橋は全長420メートル。完成すれば、対岸の工業地帯までの時間が車で20分から5分に短くなる。</p>
<h2>費用は1割増</h2>
<p>延期により、建設費は当初の見込みより約1割増える見通しだ。県議会は来週、補正予算案を審議する。</p>
<p>地元の商店会からは「観光の季節に間に合わない」と不満の声も上がっている。</p></article>
<section class="related"><h3>関連記事</h3><ul><li><a href="/1">漁港の市場、朝から行列</a></li><li>
<a href="/2">フェリー増便へ</a></li>
<li><a href="/3">古い灯台を公開</a></li></ul></section>
<aside class="ranking"><h3>アクセスランキング</h3><ol><li><a href="/4">夏祭りの日程決まる</a></li><li>
<a href="/5">市長が会見</a></li>
<li><a href="/6">駅前の再開発始まる</a></li></ol></aside></main>
<footer><a href="/about">会社概要</a><a href="/privacy">個人情報保護</a>
<p>© 港町新聞社 無断転載を禁じます</p></footer>"""
CHINESE = """
<div class="top"><a href="/">滨海日报</a><div class="nav"><a href="/a">要闻</a><a href="/b">本地</a>
<a href="/c">财经</a><a href="/d">体育</a></div></div>
<div class="crumb"><a href="/">首页</a> &gt; <a href="/b">本地</a></div>
<div class="main"><div class="article"><h1>新港大桥推迟到明年春天通车</h1>
<div class="info">2025-06-03 09:00 来源：滨海日报</div>
<div class="content"><p>市政府3日宣布，新港大桥的通车时间推迟到明年春天，原因是检查中在一根桥墩上发现了细小裂缝。</p>
<p>工程负责人在新闻发布会上说：“安全是第一位的，我们向市民道歉。”</p>
<p>大桥全长420米，建成后从市区到对岸工业区的车程将从20分钟缩短到5分钟。</p>
<p>推迟通车将使建设费用比原计划增加约一成，市人大下周将审议追加预算。</p>
<p>码头附近的商户表示，希望施工期间能够增加轮渡班次，以减少对生意的影响。</p></div></div>
<div class="related"><h3>相关新闻</h3><ul><li><a href="/1">渔港市场清晨排长队</a></li><li>
<a href="/2">轮渡将增加班次</a></li>
<li><a href="/3">老灯塔向公众开放</a></li></ul></div></div>
<div class="hot"><h3>热门排行</h3><ul><li><a href="/4">夏季灯会日程公布</a></li><li>
<a href="/5">火车站改造开工</a></li></ul></div>
<div class="footer"><a href="/about">关于我们</a> <a href="/ad">广告服务</a><p>版权所有 滨海日报社</p></div>"""
KOREAN = """
<header><a href="/">항구일보</a><nav><a href="/a">정치</a><a href="/b">경제</a><a href="/c">사회</a>
<a href="/d">국제</a></nav></header>
<main><article><h1>새 항만 대교 개통, 내년 봄으로 연기</h1><p class="date">2025.06.03 09:00</p>
<div class="article-body">
<p>시는 3일 새 항만 대교의 개통을 내년 봄으로 연기한다고 밝혔다. 점검에서 교각 한 곳에 작은 균열이 발견됐기
때문이다.</p>
<p>공사 책임자는 기자회견에서 “안전이 먼저다. 시민들께 죄송하다”고 말했다.</p>
<p>다리 길이는 420미터로, 완공되면 건너편 공단까지 차로 20분 걸리던 길이 5분으로 줄어든다.</p>
<p>연기로 건설비는 당초보다 10퍼센트가량 늘어날 전망이며, 시의회는 다음 주 추경 예산안을 심의한다.</p>
<p>상인들은 “관광철을 놓치게 됐다”며 여객선이라도 늘려 달라고 요구했다.</p></div></article>
<section class="related"><h3>관련기사</h3><ul><li><a href="/1">어시장 새벽부터 긴 줄</a></li><li>
<a href="/2">여객선 증편 검토</a></li>
<li><a href="/3">옛 등대 일반 공개</a></li></ul></section></main>
<aside class="best"><h3>많이 본 뉴스</h3><ol><li><a href="/4">여름 축제 일정 확정</a></li><li>
<a href="/5">역 앞 재개발 착공</a></li></ol></aside>
<footer><a href="/about">회사소개</a><p>저작권자 © 항구일보 무단 전재 및 재배포 금지</p></footer>"""
PAGES = {
    "ja": (
        "港の新しい橋、開通は来年春に延期",
        JAPANESE,
        ["県は3日", "工事の責任者", "橋は全長", "費用は1割増", "延期により", "地元の商店会"],
    ),
    "zh": ("新港大桥推迟到明年春天通车", CHINESE, ["市政府3日", "工程负责人", "大桥全长", "推迟通车", "码头附近"]),
    "ko": (
        "새 항만 대교 개통, 내년 봄으로 연기",
        KOREAN,
        ["시는 3일", "공사 책임자", "다리 길이", "연기로", "상인들은"],
    ),
}


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize("typed", [True, False])
def test_a_short_article_keeps_its_paragraphs_and_nothing_else(language: str, typed: bool) -> None:
    """All paragraphs stay, in order; menus, related lists, rankings and rights lines go."""
    title, body, starts = PAGES[language]
    head = '<meta property="og:type" content="article">' if typed else ""
    html = f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
    record = extract(Page(f"https://www.{language}.example/news/2025/06/03/1234567", f"{html}<body>{body}".encode()))
    paragraphs = record.text.split("\n\n")
    assert [text for text in paragraphs if not text.startswith(tuple(starts))] == []
    assert [text for start in starts for text in paragraphs if text.startswith(start)] == paragraphs
    assert len(paragraphs) == len(starts)
    assert (record.verdict, record.language, record.title) == (Verdict.KEPT, language, title)


def test_an_ideograph_says_as_much_as_three_letters_and_as_half_a_word() -> None:
    """Lengths and words of the three scripts are counted so that they compare with those of alphabets."""
    assert (count_wide("橋bridge다리"), extent("橋 bridge"), spaced_words("新港大桥 opens")) == (3, 10, 4)
    assert (extent("Brücke"), spaced_words("Die Brücke")) == (6, 2)
    assert Block("新港大桥", 0, 0, 0).extent == 12
