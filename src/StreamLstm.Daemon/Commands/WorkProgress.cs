using Spectre.Console;

namespace StreamLstm.Daemon.Commands;

/// <summary>How far long work has come, on standard error: a bar where somebody sees it, else a line now and then.</summary>
internal sealed class WorkProgress
{
    /// <summary>Time between two lines; work that takes less says nothing.</summary>
    internal static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(30);

    private readonly string _task;
    private readonly long _total;
    private readonly TextWriter _error;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly Lock _lock = new();
    private long _told;
    private long _done;

    /// <param name="task">What is done.</param>
    /// <param name="total">What it sums up to.</param>
    /// <param name="error">Gets the lines.</param>
    /// <param name="time">Says when one is due.</param>
    internal WorkProgress(string task, long total, TextWriter error, TimeProvider time)
    {
        _task = task;
        _total = Math.Max(1, total);
        _error = error;
        _time = time;
        _started = _told = time.GetTimestamp();
    }

    /// <summary>Runs the work and shows how far it has come.</summary>
    /// <param name="task">What is done.</param>
    /// <param name="total">What the work's reports sum up to.</param>
    /// <param name="error">Where it is shown; a writer that is not the program's own is left alone.</param>
    /// <param name="work">Is handed what to tell of every part done, from any thread; null where nobody listens.</param>
    public static T With<T>(string task, long total, TextWriter error, Func<Action<long>?, T> work)
    {
        if (error != Console.Error)
        {
            return work(null);
        }

        if (Console.IsErrorRedirected)
        {
            return work(new WorkProgress(task, total, error, TimeProvider.System).Add);
        }

        return AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) })
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask(task, maxValue: Math.Max(1, total));
                return work(done => bar.Increment(done));
            });
    }

    /// <summary>Counts what is done; says so where a line is due.</summary>
    internal void Add(long done)
    {
        lock (_lock)
        {
            _done += done;

            if (_time.GetElapsedTime(_told) >= LineEvery)
            {
                _told = _time.GetTimestamp();
                _error.WriteLine(FormattableString.Invariant(
                    $"{_task}: {100.0 * _done / _total:0} % after {_time.GetElapsedTime(_started).TotalMinutes:0.0} minutes"));
            }
        }
    }
}
