#!/usr/bin/env bash
# ./dev check: formatting, a short list of clang-tidy checks, and the layers. Needs build/release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
status=0

echo "== clang-format"
git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror || status=1

echo "== layers"
ctest --test-dir build/release -R '^messages/layers' --output-on-failure >/dev/null && echo ok || status=1

echo "== clang-tidy"
git ls-files 'messages/*.cpp' 'actors/*.cpp' 'adapters/*.cpp' 'runtime/*.cpp' |
  xargs -P "$(nproc)" -n 4 clang-tidy -p build/release --quiet 2>/dev/null || status=1

exit $status
