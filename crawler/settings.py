"""Crawl options -> Scrapy settings; the only place where they are set."""

from typing import Any

from crawler.options import CrawlOptions

_OFF = None
_MIDDLEWARES = (
    "offsite.OffsiteMiddleware",
    "robotstxt.RobotsTxtMiddleware",
    "httpauth.HttpAuthMiddleware",
    "downloadtimeout.DownloadTimeoutMiddleware",
    "defaultheaders.DefaultHeadersMiddleware",
    "retry.RetryMiddleware",
    "redirect.MetaRefreshMiddleware",
    "httpcompression.HttpCompressionMiddleware",
    "redirect.RedirectMiddleware",
    "cookies.CookiesMiddleware",
    "httpproxy.HttpProxyMiddleware",
    "stats.DownloaderStats",
    "httpcache.HttpCacheMiddleware",
)
_SPIDER_MIDDLEWARES = (
    "start.StartSpiderMiddleware",
    "httperror.HttpErrorMiddleware",
    "referer.RefererMiddleware",
    "urllength.UrlLengthMiddleware",
    "depth.DepthMiddleware",
    "metacopy.MetaCopyDetectionMiddleware",
)
_EXTENSIONS = (
    "corestats.CoreStats",
    "logcount.LogCount",
    "telnet.TelnetConsole",
    "memusage.MemoryUsage",
    "memdebug.MemoryDebugger",
    "closespider.CloseSpider",
    "feedexport.FeedExporter",
    "logstats.LogStats",
    "spiderstate.SpiderState",
    "throttle.AutoThrottle",
    "remote_control.RemoteControl",
)


def scrapy_settings(options: CrawlOptions) -> dict[str, Any]:
    """Scrapy as a downloader alone: what the frontier does itself, and what runs code from outside, is switched off.

    Redirects, retries, robots.txt, encodings and delays go through the frontier, so that each survives a kill and
    passes the guard; telnet, remote control and other schemes are attack surface; certificates are verified.
    """
    limits = options.limits
    return {
        "SCHEDULER": "crawler.spider.CrawlScheduler",
        "USER_AGENT": options.politeness.user_agent,
        "CONCURRENT_REQUESTS": options.politeness.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        # Scrapy starts so many tasks for the items of each answer, and there are none: a millisecond a page at 100.
        "CONCURRENT_ITEMS": 1,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_MAXSIZE": limits.page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_FAIL_ON_DATALOSS": True,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_HANDLERS": {
            **dict.fromkeys(("http", "https"), "crawler.download.PoliteHandler"),
            **dict.fromkeys(("data", "file", "ftp", "s3"), _OFF),
        },
        "DOWNLOADER_MIDDLEWARES": {f"scrapy.downloadermiddlewares.{name}": _OFF for name in _MIDDLEWARES},
        "SPIDER_MIDDLEWARES": {f"scrapy.spidermiddlewares.{name}": _OFF for name in _SPIDER_MIDDLEWARES},
        "EXTENSIONS": {f"scrapy.extensions.{name}": _OFF for name in _EXTENSIONS},
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "COOKIES_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
        "LOG_ENABLED": False,
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
    }
