"""Speech Commands: spoken words as waves or as MFCC frames."""
