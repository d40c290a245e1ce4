namespace StreamLstm.Daemon.Checks;

/// <summary>A part of the configuration that can be asked whether it would work, without anything being taken in or delivered.</summary>
/// <param name="Section">Its key, as sources.mqtt.0.</param>
/// <param name="AskAsync">Asks; gives what was found, for people.</param>
internal sealed record PartCheck(string Section, Func<CancellationToken, Task<string>> AskAsync)
{
    /// <summary>Asks, for so long.</summary>
    /// <param name="timeMax">Longest time.</param>
    /// <param name="cancellationToken">Ends all.</param>
    public async Task<PartReport> RunAsync(TimeSpan timeMax, CancellationToken cancellationToken)
    {
        using var tooLong = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        tooLong.CancelAfter(timeMax);

        try
        {
            return new PartReport(Section, IsGood: true, await AskAsync(tooLong.Token).WaitAsync(tooLong.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new PartReport(Section, IsGood: false, $"no answer within {timeMax.TotalSeconds:0.#} s");
        }
#pragma warning disable CA1031 // whatever is wrong is the answer
        catch (Exception wrong) when (wrong is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return new PartReport(Section, IsGood: false, wrong.Message);
        }
    }
}

/// <summary>What a part answered.</summary>
internal sealed record PartReport(string Section, bool IsGood, string Words);
