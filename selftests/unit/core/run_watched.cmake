# SPDX-License-Identifier: GPL-2.0-only
# Runs a program that is compiled for ThreadSanitizer. Its shadow memory has a fixed place, and
# where a kernel randomises more address bits than it was made for the program ends before it
# begins ("unexpected memory mapping"). So addresses are not randomised, where that may be
# asked for: in some containers it may not, and then the kernel's own choice has to do.
find_program(SETARCH setarch)
set(command ${BINARY})
if(SETARCH)
  execute_process(COMMAND ${SETARCH} --addr-no-randomize ${CMAKE_COMMAND} -E true
                  RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
  if(refused EQUAL 0)
    set(command ${SETARCH} --addr-no-randomize ${BINARY})
  endif()
endif()
# The first race ends it: those that follow are mostly the same one.
set(ENV{TSAN_OPTIONS} halt_on_error=1:second_deadlock_stack=1)
execute_process(COMMAND ${command} --gtest_brief=1 RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${BINARY} failed (${result})")
endif()
