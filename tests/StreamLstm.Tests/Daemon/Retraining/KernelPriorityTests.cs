using System.Globalization;
using StreamLstm.Daemon.Retraining;

namespace StreamLstm.Tests.Daemon.Retraining;

public sealed class KernelPriorityTests
{
    [Fact]
    public void A_thread_that_steps_back_is_nicer_to_the_kernel_than_its_neighbours()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "nice values of threads are Linux's");
        int lowered = 0;
        var thread = new Thread(() =>
        {
            KernelPriority.LowerThisThread();
            lowered = Niceness();
        });
        int before = Niceness();
        thread.Start();
        thread.Join();
        Assert.Equal(19, lowered);
        Assert.Equal(before, Niceness());
    }

    /// <summary>Of this thread, as Linux says: proc(5), the 17th field behind the name.</summary>
    private static int Niceness()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }
}
