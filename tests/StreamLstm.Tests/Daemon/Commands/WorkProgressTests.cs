using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Commands;

namespace StreamLstm.Tests.Daemon.Commands;

public sealed class WorkProgressTests
{
    [Fact]
    public void Where_nobody_sees_a_bar_a_line_comes_now_and_then()
    {
        var time = new FakeTimeProvider();
        using var error = new StringWriter { NewLine = "\n" };
        var progress = new WorkProgress("training", 1000, error, time);

        progress.Add(10);
        time.Advance(WorkProgress.LineEvery);
        progress.Add(110);
        progress.Add(110);
        time.Advance(2 * WorkProgress.LineEvery);
        progress.Add(20);

        Assert.Equal("training: 12 % after 0.5 minutes\ntraining: 25 % after 1.5 minutes\n", error.ToString());
    }
}
