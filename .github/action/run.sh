#!/usr/bin/env bash
# Checks a catalog, and plans it when there is a base. Inputs are the variables GR_…; they are only ever arguments.
# Ends with the worst exit code: 0 fine, 1 findings, 2 wrong use, 3 something could not be checked.
set -uo pipefail

path="${GR_PATH:-.}"
base="${GR_BASE:-}"
plan_file="${GR_PLAN_FILE:-}"

for input in path base plan_file GR_STRICT GR_CODEOWNERS GR_SARIF_FILE; do
  if [[ "${!input:-}" == *[$'\n\r']* ]]; then
    echo "::error::the input ${input#GR_} holds a line break"
    exit 2
  fi
done

work="$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/gitopsreg.XXXXXX")"
trap 'rm -rf "$work"' EXIT
worst=0

note() { # the exit code of what just ran
  if (( $1 > worst )); then worst=$1; fi
}

tell() { # an output of this step
  echo "$1=$2" >> "$GITHUB_OUTPUT"
}

check() {
  local arguments=(--output=github "--output=json=$work/report.json")
  if [[ "${GR_STRICT:-}" == true ]]; then arguments+=(--strict); fi
  if [[ -n "$base" ]]; then arguments+=("--base=$base"); fi
  if [[ -n "${GR_SARIF_FILE:-}" ]]; then arguments+=("--output=sarif=$GR_SARIF_FILE"); fi
  gitopsreg validate "${arguments[@]}" -- "$path"
  note $?
  local kind
  for kind in errors warnings; do
    tell "$kind" "$(sed -n "s/^ *\"$kind\": \([0-9][0-9]*\),\{0,1\}$/\1/p" "$work/report.json" 2> /dev/null | head -n 1)"
  done
}

owners() {
  gitopsreg codeowners --check "--style=$GR_CODEOWNERS" -- "$path"
  local code=$?
  if (( code == 1 )); then echo "::error::CODEOWNERS is not what the catalog says: run 'gitopsreg codeowners --write'"; fi
  note "$code"
}

plan() {
  gitopsreg plan "--base=$base" "--path=$path" --offline --detailed-exitcode \
    --output=human "--output=markdown=$work/plan.md"
  local code=$?
  case "$code" in
    0) tell changed false ;;
    2) tell changed true ;;
    *) note "$code" ;;
  esac
  if [[ -s "$work/plan.md" ]]; then
    cat "$work/plan.md" >> "$GITHUB_STEP_SUMMARY"
    if [[ -n "$plan_file" ]] && cp -- "$work/plan.md" "$plan_file"; then tell plan-file "$plan_file"; fi
  fi
}

check
if [[ -n "${GR_CODEOWNERS:-}" ]]; then owners; fi
if [[ -n "$base" ]]; then plan; fi
exit "$worst"
