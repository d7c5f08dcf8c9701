"""`python -m crawler OPTIONS.json` runs one crawl in this process."""

import sys

from crawler.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
