// A program that was built for a newer library says so, and what to do about it is in the message.
#include <facecore.h>
#undef FACECORE_ABI_MINOR
#define FACECORE_ABI_MINOR 99
#include <facecore.hpp>

#include <cstdio>

int main()
{
    try {
        facecore::check_abi();
    } catch (const facecore::Error &error) {
        std::printf("%s\n", error.what());
        return error.status() == FACECORE_INVALID_ARGUMENT ? 0 : 1;
    }
    return 1;
}
