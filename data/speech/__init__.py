"""Speech Commands: spoken words as waves or as MFCC frames, at 16 and at 8 kHz."""
