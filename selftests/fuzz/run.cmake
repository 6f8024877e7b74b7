# SPDX-License-Identifier: GPL-2.0-only
# Runs one fuzz target over its corpus and then over mutations of it, bounded in
# runs and seconds. libFuzzer adds what it finds to the first directory it is
# given: that is an empty one, so that no run changes the corpus or the next run.
# A seed alone does not repeat a run: mutations take up what was compared before, and
# addresses are among that. At the same addresses each time it is the same run; other
# ones are `make fuzz`.
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/found)
file(GLOB seeds ${CORPUS}/*)
if(NOT seeds)
  message(FATAL_ERROR "${CORPUS} holds no corpus")
endif()
set(options)
if(EXISTS ${DICTIONARY})
  list(APPEND options -dict=${DICTIONARY})
endif()
execute_process(
  COMMAND setarch --addr-no-randomize ${BINARY} -runs=${RUNS} -seed=1 -max_total_time=60
          -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1
          -artifact_prefix=${WORK}/ ${options}
          ${WORK}/found ${CORPUS}
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${BINARY} failed (${result}); its input is in ${WORK}")
endif()
