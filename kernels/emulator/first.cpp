// The linker lays the kernel's code before the runtime's, and the runtime's parts in this order: what lies from
// here on is no line of a kernel.
namespace emulator {
void first_of_the_runtime() {}
}  // namespace emulator
