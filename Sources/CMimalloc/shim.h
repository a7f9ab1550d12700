// Linking mimalloc replaces malloc in an executable that imports this module; nothing is called by name.
#include <mimalloc.h>
