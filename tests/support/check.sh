#!/usr/bin/env bash
# ./dev check: formatting, the layers, and a short list of clang-tidy checks; the parts that are named, or
# all. All but the formatting need build/release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0
[ $# -gt 0 ] || set -- format layers tidy

for part in "$@"; do
  echo "== $part"
  case $part in
    format) git ls-files -z '*.cpp' '*.hpp' | xargs -0 clang-format --dry-run --Werror || status=1 ;;
    layers) ctest --test-dir build/release -R '^messages/layers' --output-on-failure || status=1 ;;
    tidy)
      git ls-files 'messages/*.cpp' 'actors/*.cpp' 'adapters/*.cpp' 'runtime/*.cpp' |
        xargs -P "$(nproc)" -n 4 clang-tidy -p build/release --quiet 2>/dev/null || status=1
      ;;
    *) echo "check: no part is called $part; there are format, layers and tidy" >&2; exit 2 ;;
  esac
done

exit $status
