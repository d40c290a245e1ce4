using System.Runtime.InteropServices;

namespace StreamLstm.Daemon.Retraining;

/// <summary>How much of a core a thread gets beside others.</summary>
/// <remarks>.NET's ThreadPriority is not passed on to Linux, where every thread has a nice value of its own (setpriority(2), sched(7)).</remarks>
internal static partial class KernelPriority
{
    private const int Process = 0;   // PRIO_PROCESS; of Linux's threads each is asked for by itself
    private const int Lowest = 19;

    /// <summary>Lets every other thread go first, from now to the end of this one; where the system has no such thing, nothing happens.</summary>
    public static void LowerThisThread()
    {
        if (OperatingSystem.IsLinux())
        {
            // To be nicer is always allowed.
            _ = SetPriority(Process, 0, Lowest);
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int niceness);
}
