# Answers "is this checkout set up?" with nothing but shell built-ins, because ./izo asks it at every
# start (a fork costs more than all of this). Sourced by ./izo and scripts/setup, with $root set.

stamp="$root/node_modules/.izo-setup"

# True when the dependencies were installed from this very lockfile. The stamp is written last by
# scripts/setup; removing node_modules removes it too.
are_dependencies_current() {
  [[ -e $stamp && ! $root/pnpm-lock.yaml -nt $stamp && ! $root/pnpm-workspace.yaml -nt $stamp ]]
}

# True when packages/sys has a native addon that is no older than anything it is made from.
is_addon_current() {
  local addon source
  for addon in "$root"/packages/sys/prebuilds/*/izo-sys.node; do
    [[ -e $addon ]] || continue
    for source in "$root"/packages/sys/native/* "$root/packages/sys/scripts/build-native.mjs"; do
      [[ $source -nt $addon ]] && continue 2
    done
    return 0
  done
  return 1
}
