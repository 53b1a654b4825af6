"""BIDMC: pulse and ECG of intensive care patients, and the vital signs to be read from them."""
