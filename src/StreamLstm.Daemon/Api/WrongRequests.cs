using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Api;

/// <summary>Requests that cannot be understood are answered with what was expected, whichever part of the server found out.</summary>
internal static partial class WrongRequests
{
    public static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException wrong) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = wrong.StatusCode;
            await context.Response.WriteAsJsonAsync(new { error = Words(wrong.Message) });
        }
    }

    /// <summary>What the framework says of a parameter, without the names of this program's types.</summary>
    private static string Words(string message) =>
        Parameter().Match(message) is { Success: true } match
            ? $"query parameter {match.Groups["name"].Value}: '{match.Groups["value"].Value}', expected {Expectation(match.Groups["type"].Value)}"
            : message;

    private static string Expectation(string type) =>
        type.Contains("DateTimeOffset", StringComparison.Ordinal) ? "a time such as 2026-05-01T10:00:00Z"
        : type.Contains("int", StringComparison.Ordinal) ? "a whole number"
        : type.Contains("bool", StringComparison.Ordinal) ? "true or false"
        : type.Contains(nameof(Lifecycle), StringComparison.Ordinal) ? $"one of {string.Join(", ", Enum.GetNames<Lifecycle>().Select(OptionPath.SnakeCase))}"
        : "another value";

    [GeneratedRegex("^Failed to bind parameter \"(?<type>\\S+) (?<name>\\w+)\" from \"(?<value>.{0,100}?)(\"\\.$|$|(?<=.{100}))", RegexOptions.Singleline)]
    private static partial Regex Parameter();
}
