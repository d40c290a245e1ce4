using StreamLstm.Backtesting;

namespace StreamLstm.Daemon.Commands;

/// <summary>What commands that write files answer when they cannot.</summary>
internal static class FileCommand
{
    /// <summary>Runs it; a failure that is the user's or the disk's is told in a line.</summary>
    /// <param name="run">The command; its exit code.</param>
    /// <param name="stopped">What is told where it was cancelled.</param>
    /// <param name="error">Where it is told.</param>
    public static int Answer(Func<int> run, string stopped, TextWriter error)
    {
        try
        {
            return run();
        }
        catch (BacktestUsageException wrong)
        {
            error.WriteLine(wrong.Message);
            return CommandLine.WrongUsage;
        }
        catch (AggregateException several) when (several.InnerExceptions.FirstOrDefault(IsExpected) is { } first)
        {
            error.WriteLine($"error: {first.Message}");
            return CommandLine.Failed;
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            error.WriteLine($"error: {failure.Message}");
            return CommandLine.Failed;
        }
        catch (OperationCanceledException)
        {
            error.WriteLine($"stopped: {stopped}");
            return CommandLine.Failed;
        }
    }

    private static bool IsExpected(Exception failure) => failure is SeriesException or IOException or UnauthorizedAccessException;
}
