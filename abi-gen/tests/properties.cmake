# SPDX-License-Identifier: GPL-2.0-only
# Random schemas through every language. By hand: ABI_PROPERTY_SEED=7 ABI_PROPERTY_SCHEMAS=500
add_test(NAME abi-property COMMAND ${KHOB_PYTHON} property_test.py
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/tests)
set_tests_properties(abi-property PROPERTIES TIMEOUT 600 PROCESSORS 2 ENVIRONMENT
  "PYTHONDONTWRITEBYTECODE=1;ABI_GEN=$<TARGET_FILE:abi-gen>")
# The same with devices, ABI_PROPERTY_DEVICES of them.
add_test(NAME abi-device-property COMMAND ${KHOB_PYTHON} -m unittest -v device_property_test
         WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/tests)
set_tests_properties(abi-device-property PROPERTIES TIMEOUT 600 ENVIRONMENT
  "PYTHONDONTWRITEBYTECODE=1;ABI_GEN=$<TARGET_FILE:abi-gen>")
